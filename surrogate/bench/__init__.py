"""Programs that time things, behind `make bench`. They may import everything; nothing imports them."""
