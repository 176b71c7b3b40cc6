"""References to the server's own resources and to those of other servers.

Section 2.3.0.1 of https://hl7.org/fhir/R4/references.html
"""

from typing import Any

import pytest

from lambdas.lookup_identities.fhir.references import with_relative_references

BASE = "https://mpi.example/fhir"


@pytest.mark.parametrize(
    ("reference", "relative"),
    [
        ("Patient/5", "Patient/5"),
        (f"{BASE}/Patient/5", "Patient/5"),
        (f"{BASE}/Patient/5/_history/2", "Patient/5/_history/2"),
        ("http://inner:8080/fhir/Patient/5", "Patient/5"),
        *(
            (other, other)
            for other in (
                "https://other.example/fhir/Patient/5",
                "https://mpi.example/fhir2/Patient/5",
                "https://mpi.example/Patient/5",
                "http://inner:8080/fhi/Patient/5",
                "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
                "#5",
                "",
            )
        ),
    ],
)
@pytest.mark.parametrize(
    "query", ["/Patient?identifier=1", "?_getpages=1", "/Patient/_search?_count=1"]
)
@pytest.mark.parametrize("end", ["", "/"])
def test_only_references_to_the_server_itself_become_relative(
    reference: str, relative: str, query: str, end: str
) -> None:
    def bundle(text: str) -> dict[str, Any]:
        patient = {"link": [{"other": {"reference": text}}], "name": [{"given": [text]}]}
        return {
            "link": [{"relation": "self", "url": f"http://inner:8080/fhir{query}"}, "x"],
            "entry": [{"resource": patient}],
        }

    found = with_relative_references(bundle(reference), BASE + end)
    resource = found["entry"][0]["resource"]
    assert resource["link"][0]["other"]["reference"] == relative
    assert resource["name"] == [{"given": [reference]}]


@pytest.mark.parametrize("link", [None, 5, {"relation": "self"}, [None], [{"relation": "self"}]])
def test_a_damaged_link_changes_nothing(link: Any) -> None:
    document = {"link": link, "reference": 1}
    assert with_relative_references(document, BASE) == document
