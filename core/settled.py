"""How far a table can be read by the number of the transaction that wrote each row, so that nothing is passed over.

Below the watermark every transaction that could write here has ended: no row can appear there any more, and a reader may remember the
place as "seen all up to here". `pg_snapshot_xmin` alone would be too careful: numbers of transactions are those of the whole server, and a
long one in another database of it would hold up every reader of this one.
"""

#: SQL of the watermark as a bigint, of the snapshot of the statement in which it stands.
#: Who is in both the snapshot and the list of other databases was there all the time, because no transaction changes its database; so the
#: list may be older or younger than the snapshot. One's own number is not in one's own snapshot. Without the right to see other sessions
#: (`pg_read_all_stats`) the list is shorter and the watermark lower, never too high.
WATERMARK = """(
    SELECT least(
        coalesce(
            (SELECT min(running::text::bigint) FROM pg_snapshot_xip(taken) AS running WHERE running::xid NOT IN (
                SELECT backend_xid FROM pg_stat_activity
                WHERE backend_xid IS NOT NULL AND datid <> (SELECT oid FROM pg_database WHERE datname = current_database())
            )),
            pg_snapshot_xmax(taken)::text::bigint
        ),
        pg_current_xact_id_if_assigned()::text::bigint
    ) FROM pg_current_snapshot() AS taken
)"""
