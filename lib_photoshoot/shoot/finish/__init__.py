"""The accepted pictures of a shoot, cut out, ranked and put into the form of each channel."""
