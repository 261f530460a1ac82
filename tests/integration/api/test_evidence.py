"""Programs read what was said with its proof, and have it exported."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import timedelta

import httpx

from payflux.monitor.evidence.rules import CHUNK, read_range
from payflux.monitor.ledger.artifacts import FIRST_HASH
from payflux.monitor.ledger.checkpointing import sign_tree
from payflux.monitor.ledger.checkpoints import read_note
from payflux.monitor.ledger.merkle import leaf_hash, root_of_inclusion
from payflux.monitor.ledger.verifying import verify_export
from payflux.world.bootstrap import World
from tests.integration.api.conftest import key_for
from tests.integration.api.test_public_api import read
from tests.integration.evidence.conftest import make, record_activation, record_many
from tests.integration.watching.conftest import Shop, open_shop

LETTERS = [
    {"at": "2024-05-01T10:00:00Z", "kind": "reserve.letter", "body": {"rate": 0.1}},
    {"at": "2024-06-01T10:00:00Z", "kind": "reserve.letter", "body": {"rate": 0.05}},
]


async def test_a_program_walks_the_chain_and_proves_where_each_stands(
    program: httpx.AsyncClient, world: World, shop: Shop
) -> None:
    await record_activation(shop)
    await sign_tree(world)
    shop.clock.move(timedelta(hours=1))
    since = shop.now
    await record_many(shop, 1)
    chain, cursor = [], ""
    while cursor is not None:
        page = await read(program, "/evidence", limit=2, cursor=cursor)
        chain += page["data"]
        cursor = page["next_cursor"]
    assert [each["sequence"] for each in chain] == [5, 4, 3, 2, 1]
    before = FIRST_HASH.hex()
    for each in reversed(chain):
        assert each["previous_hash"] == before
        before = each["hash"]
    assert [each["sequence"] for each in (await read(program, "/evidence", since=since.isoformat()))["data"]] == [5]
    some = await program.get("/evidence", params={"kind": ["baseline", "envelope"]})
    assert [each["kind"] for each in some.json()["data"]] == ["envelope", "baseline"]
    assert await read(program, "/evidence/2") == chain[3]
    proof = await read(program, "/evidence/2/proof")
    root = root_of_inclusion(
        leaf_hash(bytes.fromhex(chain[3]["hash"])),
        proof["leaf"],
        proof["tree_size"],
        [bytes.fromhex(each) for each in proof["hashes"]],
    )
    assert root == read_note(proof["checkpoint"]).checkpoint.root_hash
    assert (await program.get("/evidence/5/proof")).json()["detail"] == "No checkpoint holds this artifact yet."
    assert (await program.get("/evidence/6")).status_code == 404
    assert (await program.get("/evidence", params={"until": "9999-12-31T23:59:59-12:00"})).status_code == 422


async def test_an_export_is_made_once_and_its_download_goes_on_where_it_broke_off(
    program: httpx.AsyncClient, shop: Shop
) -> None:
    await record_many(shop, 600)
    asked, key = {"content": "artifacts", "first": 2}, {"Idempotency-Key": "one"}
    first, again = [await program.post("/exports", json=asked, headers=key) for _ in range(2)]
    assert (first.status_code, again.json()) == (202, first.json())
    path = f"/exports/{first.json()['id']}"
    assert (await program.get(f"{path}/download")).json()["code"] == "export_not_ready"
    await make(shop)
    ready = await read(program, path)
    assert (ready["state"], ready["done"], ready["total"]) == ("ready", 599, 599)
    assert (await read(program, "/exports"))["data"] == [ready]
    whole = await program.get(f"{path}/download")
    assert hashlib.sha256(whole.content).hexdigest() == ready["sha256"]
    assert whole.headers["Content-Type"] == "application/x-ndjson"
    assert verify_export(whole.content.splitlines(keepends=True)).last_sequence == 600
    part, etag = b"", whole.headers["ETag"]
    while len(part) < ready["size"]:
        end = len(part) + CHUNK // 2 + 7
        headers = {"Range": f"bytes={len(part)}-{end}", "If-Range": etag}
        answer = await program.get(f"{path}/download", headers=headers)
        assert (answer.status_code, answer.headers["ETag"]) == (206, etag)
        part += answer.content
    assert part == whole.content
    other = await program.get(f"{path}/download", headers={"Range": "bytes=5-", "If-Range": '"another"'})
    assert (other.status_code, len(other.content)) == (200, ready["size"])
    beyond = await program.get(f"{path}/download", headers={"Range": f"bytes={ready['size']}-"})
    assert (beyond.status_code, beyond.json()["size"]) == (416, ready["size"])
    assert (await program.get(f"{path}/download", headers={"If-None-Match": etag})).status_code == 304
    wrong = await program.post("/exports", json={"content": "dossier", "format": "csv"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "format")


def test_a_range_is_read_as_the_standard_says() -> None:
    read: dict[str, tuple[int, int] | None] = {
        "bytes=0-0": (0, 0),
        "bytes=2-": (2, 9),
        "bytes=-3": (7, 9),
        "bytes=-30": (0, 9),
        "bytes=3-99": (3, 9),
        "bytes=5-4": None,
        "bytes=-": None,
        "bytes=0-1,3-4": None,
        "lines=0-1": None,
        "": None,
    }
    assert {header: read_range(header, size=10, etag='"e"') for header in read} == read


async def test_evidence_from_elsewhere_is_taken_once_under_its_own_mark(
    program: httpx.AsyncClient, world: World, shop: Shop
) -> None:
    file = "".join(f"{json.dumps(each)}\n" for each in LETTERS).encode()
    first, again = [
        await program.post("/evidence/imports", params={"file_name": "letters.jsonl"}, content=file) for _ in range(2)
    ]
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    brought = first.json()
    assert (brought["records"], brought["form"], brought["origin"]) == (2, "records", None)
    assert brought["source_hash"] == hashlib.sha256(file).hexdigest()
    assert await read(program, f"/evidence/imports/{brought['id']}") == brought
    assert (await read(program, "/evidence/imports"))["data"] == [brought]
    told = await read(program, f"/evidence/{brought['sequence']}")
    assert (told["kind"], told["body"]["source_hash"]) == ("imported", brought["source_hash"])
    page = await read(program, f"/evidence/imports/{brought['id']}/records", limit=1)
    rest = await read(program, f"/evidence/imports/{brought['id']}/records", limit=1, cursor=page["next_cursor"])
    assert [each["body"] for each in page["data"] + rest["data"]] == [each["body"] for each in LETTERS]
    assert rest["next_cursor"] is None

    at_once = await asyncio.gather(*(program.post("/evidence/imports", content=file + b"\n") for _ in range(3)))
    assert sorted(each.status_code for each in at_once) == [200, 200, 201]
    assert len({each.json()["id"] for each in at_once}) == 1

    wrong = await program.post("/evidence/imports", content=file + b'{"at":"yesterday"}')
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["detail"].startswith("Line 3 is no record")
    assert (await program.post("/evidence/imports", content=b"")).status_code == 422
    long = {"at": LETTERS[0]["at"], "kind": "reserve.letter", "body": {"text": "x" * 2_000_000}}
    assert (await program.post("/evidence/imports", json=long)).status_code == 201, "a file may be as long as a page's"
    narrow = {"Authorization": f"Bearer {await key_for(world, shop, 'evidence:read')}"}
    assert (await program.post("/evidence/imports", content=file, headers=narrow)).json()["rule"] == "evidence:write"
    charlie = {"Authorization": f"Bearer {await key_for(world, await open_shop(world, shop.clock, 'charlie'))}"}
    for path in (f"/evidence/imports/{brought['id']}", f"/evidence/imports/{brought['id']}/records"):
        assert (await program.get(path, headers=charlie)).status_code == 404
    assert (await program.get("/evidence/imports", headers=charlie)).json()["data"] == []
