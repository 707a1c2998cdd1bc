"""What AWS accepts or the house demands, as tables: read by the rules, changed without touching them."""
