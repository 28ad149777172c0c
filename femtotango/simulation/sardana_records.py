"""Post scan records to a Sardana ingester, as the recorder does."""

import httpx

from femtotango.stack.errors import StackError

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
