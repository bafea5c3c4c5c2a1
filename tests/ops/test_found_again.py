"""A founded province is not founded anew: what people decided about its directory since stands after every start."""

from ops.demo.found import found
from tests.laws.province import folder, opened, quiet, small, template
from yinxin.act import SYSTEM

__all__ = ["folder", "template"]


def test_a_start_leaves_the_directory_as_people_left_it(folder):
    """Seen to fail when every start loaded the demo's directory: the clearance was the demo's again."""
    whole = small()
    raised = tuple(
        each.model_copy(update={"clearance": "confidential"}) if each.id == "demo-clerk" else each
        for each in whole.people
    )
    with opened(folder) as platform:
        platform.authz.directory.load(SYSTEM, whole.model_copy(update={"people": raised}))
        found(platform, quiet, whole)
        assert platform.authz.directory.person("demo-clerk").clearance == "confidential"
