"""What a change may do harm to: data, traffic, access and protection, one room each."""
