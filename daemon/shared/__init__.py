"""What several daemons share: PostgreSQL, where one machine is not enough."""
