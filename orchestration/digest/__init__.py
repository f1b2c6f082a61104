"""The morning digest: one self-contained page of what a head of sales should know today."""
