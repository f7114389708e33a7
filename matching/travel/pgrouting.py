"""pgRouting on an extract of OpenStreetMap that the operator loaded with osm2pgrouting: its tables `ways` and `ways_vertices_pgr`."""

from collections.abc import Sequence
from typing import ClassVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from matching.engine.journey import CAR
from matching.travel.router import Away, Place, Router, Way

#: A place further from every road than this has no way to it, in metres.
OFF_ROAD = 2_000
#: How far around the home and the places roads are looked at, in degrees: a way that leads further round is no good one.
AROUND = 0.15

#: The crossing that is nearest to each place, by its number; none where all are too far.
_NEAREST = """
SELECT place.number, near.id FROM unnest(%(lons)s::float8[], %(lats)s::float8[]) WITH ORDINALITY AS place (lon, lat, number)
CROSS JOIN LATERAL (
    SELECT v.id, v.the_geom FROM ways_vertices_pgr v ORDER BY v.the_geom <-> ST_SetSRID(ST_MakePoint(place.lon, place.lat), 4326) LIMIT 1
) near
WHERE ST_DistanceSphere(near.the_geom, ST_SetSRID(ST_MakePoint(place.lon, place.lat), 4326)) <= %(off_road)s
"""
#: Seconds by the speeds that osm2pgrouting gave each kind of road; a negative one is a direction in which nobody may drive.
_EDGES = """SELECT gid AS id, source, target, cost_s AS cost, reverse_cost_s AS reverse_cost FROM ways
    WHERE the_geom && ST_MakeEnvelope({:.6f}, {:.6f}, {:.6f}, {:.6f}, 4326)"""
_ROUTES = """
SELECT route.end_vid, max(route.agg_cost), sum(w.length_m)
FROM pgr_dijkstra(%(edges)s, %(home)s::bigint, %(ends)s::bigint[], directed := true) route LEFT JOIN ways w ON w.gid = route.edge
GROUP BY route.end_vid
"""


class PgRouting(Router):
    name: ClassVar[str] = "pgrouting"
    ways: ClassVar[frozenset[int]] = frozenset({CAR})

    def __init__(self, dsn: str, schema: str, timeout: float) -> None:
        self._dsn, self._timeout = dsn, timeout
        self._options = (
            f"-c statement_timeout={round(timeout * 1000)} -c default_transaction_read_only=on -c jit=off -c search_path={schema},public"
        )

    def about(self) -> str:
        named = conninfo_to_dict(self._dsn)
        return f"database {named.get('dbname', '')} on {named.get('host', 'this machine')}"

    def times(self, way: int, home: Place, places: Sequence[Place]) -> list[Way | None]:
        stops = [home.lon_lat, *(place.lon_lat for place in places)]
        lons, lats = [lon for lon, _ in stops], [lat for _, lat in stops]
        edges = _EDGES.format(min(lons) - AROUND, min(lats) - AROUND, max(lons) + AROUND, max(lats) + AROUND)
        try:
            with psycopg.connect(self._dsn, connect_timeout=max(2, round(self._timeout)), options=self._options) as connection:
                found = connection.execute(_NEAREST, {"lons": lons, "lats": lats, "off_road": OFF_ROAD}).fetchall()
                at = {number - 1: vertex for number, vertex in found}
                if 0 not in at:
                    return [None] * len(places)
                ends = sorted(set(at.values()) - {at[0]})
                routes = connection.execute(_ROUTES, {"edges": edges, "home": at[0], "ends": ends}).fetchall() if ends else []
        except psycopg.errors.QueryCanceled:
            raise Away("did not answer in time") from None
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction):
            raise Away("has no roads: load them with osm2pgrouting (docs/travel.md)") from None
        except psycopg.Error:
            raise Away("did not answer") from None
        way_to = {end: Way(round(seconds), round(metres or 0)) for end, seconds, metres in routes} | {at[0]: Way(0, 0)}
        return [way_to.get(at[number]) if number in at else None for number in range(1, len(stops))]
