"""What the console knows: a `View`, changed only by `apply`. Nothing here imports the terminal library."""
