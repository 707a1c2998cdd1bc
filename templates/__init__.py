"""One troposphere module per tier; `root` alone imports them all and wires them."""
