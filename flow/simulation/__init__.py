"""What would happen: a seeded simulation of who comes, who waits and who finds a place, day by day.

It knows only numbers: no database, no clock but its own, no person. `world` holds what is simulated, `laws` how long things take, `draws`
whatever chance decides, `changes` what is asked to be different, `engine` lets the days pass, `policies` are ways of choosing,
`check` follows the log and proves that no place was given twice, `hindsight` says what nobody could have beaten, `figures` and
`compare` say what came of it, `fitting` learns the laws from what was. Times are in days from the beginning.
"""

#: Changes whenever the same world and seed could come out otherwise.
SIMULATION_VERSION = "2"
