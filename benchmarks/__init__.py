"""The figures of the README: redispy beside its peers, in one run, on one server.

``python -m benchmarks`` installs each peer in a folder of its own (several bring a module named ``redis``), starts an
embedded server and one process for each client, and gives these processes their orders in turn, A B C A B C, so that
whatever else the machine does meets all of them alike.  Absolute times drift; the ratios of one run are what counts.

``peers`` says who they are, ``scenarios`` what is done, ``measures`` what is taken, ``goals`` what to reach.
Another scenario is another entry of the table in ``scenarios``.

Every client is kept on one core, and where client and server take turns, the server on the same.  On two, each
operation pays for waking a core that went idle; on a virtual machine that is ten times what a fast client costs, and
comes and goes.  The GET of several threads, which keep their core busy, is measured both ways.

Needs the extras ``hiredis`` and ``embedded``, and pip for the peers.
"""
