"""The Olist marketing funnel, a real B2B funnel, as extracts in the generic layout."""
