"""What a probe measures of each stream: whom it is to measure, what it said last, and what the rules hear of it."""
