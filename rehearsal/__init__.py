"""The rehearsal of the cutover: a payments application, a load balancer's data plane, clients, a tally, a report."""
