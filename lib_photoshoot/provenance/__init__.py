"""How a picture came to be: what its file says about that, and how what is made from it says so too."""
