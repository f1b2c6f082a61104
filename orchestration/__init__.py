"""The nightly job of Inflight: extracts in, audited tables out."""
