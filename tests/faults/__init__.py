"""What must never happen: the tests of the promises, and the kit that makes servers, networks and signals misbehave."""
