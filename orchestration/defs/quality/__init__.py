"""The two gates of Great Expectations: on what landed, and on the marts before BI sees them."""
