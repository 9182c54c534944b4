"""The switches of a lens: departures from the publisher's code that can be
turned to what its documents say, one by one.

For: naming them once. Each is implemented where its DECISIONS.md number says;
a Lens without any is the published one.
"""

SWITCHES = '''dedup_first late_snapshot multi_gpu loading_only_documented
health_first_processed ptff_from_request e2e_documented tail_artefact_kept
session_counted_once inferred_swaps swap_charged_to_left fps_without_zeros
excused_not_counted merged_benchmark nan_day_neutral no_row_gate'''.split()


def chosen(names):
    """A set of switches; an unknown name is a mistake."""
    names = frozenset(names)
    unknown = names.difference(SWITCHES)
    if unknown:
        raise ValueError('no such switch: %s' % sorted(unknown))
    return names
