"""One module a group of addresses. A route translates a request into a question, and its answer into JSON."""
