"""What a training made: its epochs, compared on a sheet and put into the WebUI."""
