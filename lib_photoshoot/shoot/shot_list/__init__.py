"""What a shop wants pictures of: a table of products, checked row by row."""
