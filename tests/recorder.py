"""A client that sends nothing: it keeps what would be sent, so that the form of every option can be tested alone."""

from redis.commands import Commands


class Recorder(Commands):
    """Has every command; ``words`` and ``options`` are those of the last call, whose reply is ``reply``."""

    def __init__(self, reply=None):
        self.reply = reply
        self.words = self.options = None

    def execute_command(self, *args, **options):
        self.words, self.options = args, options
        return self.reply


def sent(call):
    """Return the words that ``call(client)`` sends."""
    recorder = Recorder()
    call(recorder)
    return recorder.words


def options_of(call):
    """Return the options that ``call(client)`` hands to the callback."""
    recorder = Recorder()
    call(recorder)
    return recorder.options
