"""Reading a page's consoles and taking out what varies, without a cluster."""

from __future__ import annotations

from tests.docs.consoles import Entry, File, Hidden, steps, with_answers
from tests.docs.normal import Names, ids_in, normal

PAGE = """\
# A page

```yaml
# web.yaml
kind: Thing
```
<!-- run: ecs-simulator durations create_server=9 -->
```console
$ kubectl apply -f web.yaml
thing/web created
$ kubectl get things \\
  -o wide
NAME   READY
web    True
$ kubectl delete thing web
```

```text
$ kubectl is not typed here
```
"""
UID, KNOWN = "0f0c6d1e-4b7a-4a53-9f4e-2c1d3b5a7e90", "157ee789-03ea-45b1-a698-76c92660dd83"
NAMES = Names(page="page", known=ids_in(KNOWN))


def shown(text: str, *, names: Names = NAMES, addresses: dict[str, str] | None = None) -> str:
    return normal(text, names=names.after(text), addresses=addresses or {})


def test_the_steps_of_a_page() -> None:
    manifest, hidden, *entries = steps(PAGE)
    assert manifest == File("web.yaml", "# web.yaml\nkind: Thing\n")
    assert hidden == Hidden("ecs-simulator durations create_server=9")
    assert [(each.command, each.answer, each.only_looks) for each in entries if isinstance(each, Entry)] == [
        ("kubectl apply -f web.yaml", "thing/web created\n", False),
        ("kubectl get things \\\n  -o wide", "NAME   READY\nweb    True\n", True),
        ("kubectl delete thing web", "", False),
    ]


def test_only_the_answers_are_written() -> None:
    entries = [each for each in steps(PAGE) if isinstance(each, Entry)]
    assert with_answers(PAGE, [(each, each.answer) for each in entries]) == PAGE
    other = with_answers(PAGE, list(zip(entries, ["", "none\n", "deleted\n"], strict=True)))
    assert other == (
        PAGE.replace("thing/web created\n", "")
        .replace("NAME   READY\nweb    True\n", "none\n")
        .replace("thing web\n", "thing web\ndeleted\n")
    )


def test_a_table_is_set_anew() -> None:
    text = f"NAME    TASK   ENDPOINT             ID{'':37}AGE\nweb-0          http://127.0.0.1:1   {UID}   4m33s\n"
    answer = shown(text, addresses={"http://127.0.0.1:1": "https://ecs.example.com"})
    name = NAMES.after(UID).given[UID]
    assert answer == f"NAME    TASK   ENDPOINT                  ID{'':37}AGE\nweb-0          https://ecs.example.com   {name}   1m\n"


def test_events_are_set_anew() -> None:
    answered = """\
Events:
  Type    Reason  Age                From  Message
  ----    ------  ----               ----  -------
  Normal  Made    4s (x2 over 99s)   me    it was made at 12:13:14 UTC
"""
    assert (
        shown(answered)
        == """\
Events:
  Type    Reason  Age              From  Message
  ----    ------  ----             ----  -------
  Normal  Made    1m (x2 over 1m)  me    it was made at 09:05:00 UTC
"""
    )


def test_ids_are_told_apart_and_stay_what_they_are_on_a_page() -> None:
    other = UID.replace("0f0c", "ffff")
    first, second, known, again = shown(f"{UID}\n{other}\n{KNOWN}\n{UID}\n").split()
    assert (known, again) == (KNOWN, first)
    assert len({first, second, UID, other}) == 4
    assert [len(each) for each in (first, second)] == [36, 36]


def test_other_things_that_vary() -> None:
    text = "Resource Version: 4711\nat 2026-11-25T16:53:07.123456Z\nmac fa:16:3e:01:02:03\ngroup web-12345678\n\n\n"
    version, time, mac, group = shown(text).splitlines()
    assert (version, time) == ("Resource Version: 1000", "at 2026-03-02T09:00:00Z")
    assert mac.startswith("mac fa:16:3e:")
    assert mac != "mac fa:16:3e:01:02:03"
    assert group.startswith("group web-")
    assert group != "group web-12345678"
