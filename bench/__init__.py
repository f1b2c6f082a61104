"""Measurements that take longer than a test may: size, speed, and kills at random moments."""
