"""HTTP to an OpenAI-compatible server: what it sends, and a clear error for everything else it can do."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx

from runtime.engine.remote.completions import DONE, Chunk, EventParser, MalformedStreamError, problem_words, read_chunk
from runtime.engine.remote.options import RemoteOptions, check_key, clean_url
from runtime.errors import EngineError, EngineUnavailableError, RuntimeFault, StartError

#: Largest body that is read where no stream is expected.
_BODY_BYTES = 1 << 20

#: Seconds for a question about the server itself.
_QUESTION_S = 10.0

_REMEDIES = {
    401: "check the upstream's key",
    403: "check what the upstream's key may do",
    404: "check the upstream's address and the model's name",
}


class AttemptFailedError(Exception):
    """One try failed.

    Attributes:
        error: what the caller is to be told.
        retry: whether another try may help.
        outage: whether the server is to blame, not the request.
        after_s: seconds that the server asks to wait; None if it does not say.
        status: the HTTP status; 0 if none came.
    """

    def __init__(
        self,
        error: RuntimeFault,
        *,
        retry: bool = False,
        outage: bool = True,
        after_s: float | None = None,
        status: int = 0,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry = retry
        self.outage = outage
        self.after_s = after_s
        self.status = status


class Upstream:
    """One server. All methods but the constructor belong to one event loop."""

    def __init__(self, url: str, options: RemoteOptions) -> None:
        """Get ready; nothing is sent.

        Raises:
            StartError: the address, the key or the certificates cannot be used.
        """
        check_key(options.api_key)
        self.url = clean_url(url)
        self._key = options.api_key
        headers = {"Accept-Encoding": "identity", "User-Agent": "tellerbox"}
        if options.api_key:
            headers["Authorization"] = f"Bearer {options.api_key}"
        try:
            verify = ssl.create_default_context(cafile=options.ca_file) if options.ca_file else True
        except (OSError, ssl.SSLError) as error:
            raise StartError(f"{options.ca_file}: no certificates ({error}); expected a PEM file") from error
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(None, connect=options.connect_timeout_s),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=options.max_running),
            follow_redirects=False,
            trust_env=False,
            verify=verify,
        )

    async def close(self) -> None:
        """Close idle connections."""
        await self._client.aclose()

    def fault(self, problem: str, remedy: str) -> EngineError:
        """An error that names the server."""
        return EngineError(f"upstream {self.url}: {self._clean(problem)}; {remedy}")

    def unavailable(self, problem: str, remedy: str, after_s: float = 1.0) -> EngineUnavailableError:
        """An error that names the server and says when to come back."""
        return EngineUnavailableError(f"upstream {self.url}: {self._clean(problem)}; {remedy}", after_s)

    def _clean(self, words: str) -> str:
        """A server may repeat the key in its words."""
        return words.replace(self._key, "(key)") if self._key else words

    async def ask(self, method: str, path: str, body: object = None) -> object:
        """A short question; the JSON of the answer.

        Raises:
            AttemptFailedError: there is none.
        """
        try:
            async with asyncio.timeout(_QUESTION_S), self._open(method, path, body) as response:
                data = await self._read(response)
        except TimeoutError:
            silent = self.unavailable(f"{path} was not answered within {_QUESTION_S:.0f} s", "check the server")
            raise AttemptFailedError(silent) from None
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise AttemptFailedError(self.fault(f"{path} was answered with no JSON", "check the address")) from None

    async def complete(self, body: dict[str, object]) -> AsyncGenerator[Chunk, None]:
        """Send a completion request and give the events of its answer, up to ``[DONE]`` or the connection's end.

        Raises:
            AttemptFailedError: there is no answer, or it is none.
        """
        async with self._open("POST", "/v1/completions", body) as response:
            kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
            if kind != "text/event-stream" or "content-encoding" in response.headers:
                problem = f"answered with {kind or 'no content type'}, not with a stream of plain server-sent events"
                raise AttemptFailedError(self.fault(problem, "check the address and what stands in between"))
            events = EventParser()
            try:
                async for received in response.aiter_raw():
                    for data in events.feed(received):
                        if data == DONE:
                            return
                        yield read_chunk(data)
            except MalformedStreamError as error:
                raise AttemptFailedError(self.fault(str(error), "check that it is a completions API")) from error

    @asynccontextmanager
    async def _open(self, method: str, path: str, body: object) -> AsyncIterator[httpx.Response]:
        """A good response, closed afterwards; whatever goes wrong meanwhile becomes an AttemptFailedError."""
        try:
            async with self._client.stream(method, self.url + path, json=body) as response:
                if response.status_code != 200:
                    raise await self._refused(response)
                yield response
        except httpx.ConnectTimeout:
            silent = self.unavailable("no connection in time", "check that it runs and that the network reaches it")
            raise AttemptFailedError(silent, retry=True) from None
        except httpx.ConnectError as error:
            raise self._unreachable(error) from error
        except httpx.TransportError as error:
            broken = self.unavailable(f"the connection broke ({_root(error)})", "look into the server's log")
            raise AttemptFailedError(broken, retry=True) from error

    def _unreachable(self, error: httpx.ConnectError) -> AttemptFailedError:
        root = _root(error)
        if isinstance(root, ssl.SSLError):
            remedy = "check the address (http or https) and the certificate"
            return AttemptFailedError(self.unavailable(f"TLS failed ({root})", remedy))
        if isinstance(root, socket.gaierror):
            return AttemptFailedError(self.unavailable(f"its name is not known ({root})", "check the name"), retry=True)
        remedy = "check that it runs and that the network reaches it"
        return AttemptFailedError(self.unavailable(f"no connection ({root})", remedy), retry=True)

    async def _refused(self, response: httpx.Response) -> AttemptFailedError:
        """What a status other than 200 means."""
        status = response.status_code
        if response.is_redirect:
            problem = f"sends elsewhere (HTTP {status}), which is not followed"
            return AttemptFailedError(self.fault(problem, "give its final address"), status=status)
        words = ""
        try:
            async with asyncio.timeout(_QUESTION_S):
                words = problem_words(json.loads(await self._read(response)))
        except (ValueError, RecursionError, TimeoutError, httpx.TransportError, AttemptFailedError):
            pass  # the status alone has to do
        problem = f"refused with HTTP {status}" + (f": {words}" if words else "")
        if status in (429, 502, 503, 504):
            after_s = _seconds(response.headers.get("retry-after", ""))
            error = self.unavailable(problem, "ask again later", after_s or 1.0)
            return AttemptFailedError(error, retry=True, outage=status != 429, after_s=after_s, status=status)
        remedy = _REMEDIES.get(status, "look into the server's log")
        outage = status >= 500 or status in _REMEDIES
        return AttemptFailedError(self.fault(problem, remedy), outage=outage, status=status)

    async def _read(self, response: httpx.Response) -> bytes:
        data = b""
        async for received in response.aiter_raw():
            data += received
            if len(data) > _BODY_BYTES:
                raise AttemptFailedError(self.fault(f"answered with over {_BODY_BYTES} bytes", "check the address"))
        return data


def _root(error: BaseException) -> BaseException:
    """The first cause: the transport's layers hide the system's words."""
    seen = error
    while (deeper := seen.__cause__ or seen.__context__) is not None:
        seen = deeper
        if isinstance(seen, OSError) and (seen.errno or isinstance(seen, ssl.SSLError)):
            break
    return seen if str(seen) else error


def _seconds(retry_after: str) -> float | None:
    """The header in its form of seconds; as a date, which servers' clocks make unsure, it counts as not given."""
    return float(retry_after) if retry_after.isdecimal() and len(retry_after) < 7 else None
