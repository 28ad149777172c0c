"""dranspose's ingester of Sardana's records."""

from femtotango.dranspose_client.http import Http
from pipeline.protocols.sardana import flush_description


class SardanaIngester(Http):
    """dranspose's HTTP ingester for Sardana's records.

    Every method raises `Unreachable` without an answer, and `BadReply` for an error.
    """

    def __init__(self, url: str) -> None:
        super().__init__("Sardana ingester", url)

    def ask_to_flush(self) -> None:
        """Send a description that starts no scan: the workers flush."""
        message = flush_description()
        self._checked(self._ask("POST", "/v1/data_desc", json=message, repeat=False))
