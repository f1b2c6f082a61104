"""Extract files into raw: read, hold against the contract, set bad rows aside, append row versions."""
