"""Post scan records to a Sardana ingester, as the recorder does."""

import httpx

from femtotango.stack.errors import StackError
from pipeline.simulation.scan import BurstScan, sardana_records

_ENDPOINTS = {
    "DataDescription": "data_desc",
    "RecordData": "record_data",
    "RecordEnd": "record_end",
}


def post_record(client: httpx.Client, url: str, record: dict[str, object]) -> None:
    """Post one record to a Sardana ingester.

    Raises:
        StackError: it does not answer, or refuses the record.
    """
    try:
        answer = client.post(f"{url}/v1/{_ENDPOINTS[str(record['type'])]}", json=record)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise StackError(f"The Sardana ingester {url} does not take records: {error}") from error


class ScanRecords:
    """The records of one scan, each when its frames have been sent."""

    def __init__(self, client: httpx.Client, url: str, scan: BurstScan) -> None:
        self._client = client
        self._url = url
        self._scan = scan
        self._description, *self._points, self._end = sardana_records(scan)

    def after_shot(self, messages: int) -> None:
        """Post what follows the messages that each camera has sent: header, frames, end.

        Raises:
            StackError: the ingester does not take it.
        """
        frames = messages - 1
        if not frames:
            self._post(self._description)
        elif frames > len(self._points) * self._scan.burst:
            self._post(self._end)
        elif frames % self._scan.burst == 0:
            self._post(self._points[frames // self._scan.burst - 1])

    def _post(self, record: dict[str, object]) -> None:
        post_record(self._client, self._url, record)
