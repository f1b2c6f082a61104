"""What a head of sales looks at: pages over the published file, in the browser."""
