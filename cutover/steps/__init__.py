"""The steps of a cutover, each a Lambda function of its own: handler `cutover.steps.<module>.handle`.

    preflight → approval → freeze → drain → stop_forward → start_reverse ─┬→ switch → smoke → reopen → watch … → finish
                                          ↘ sequences → final validation ─┘

The two branches after `drain` may run side by side. `cancel` ends a run before the freeze, `rollback` after it;
`go_back` does the first half of a way back after `reopen`, so that a validation fits in before `rollback` does the
rest; `stuck` tells when nothing of this worked. A new execution takes up a run at `freeze` (resume) or at `rollback`:
what is done already is found done.

Event: {"run_id", "budget": {"freeze_seconds", "frozen_at": seconds since 1970 or null}, …}; a step's answer is a small
JSON object without secrets or values of rows. {"warm": true} alone opens connections and does nothing else: called just
before the freeze, it saves the freeze the time to do so.

Errors, by class name: `NotReady` (nothing was done), `Retry` (the same call again), `BudgetExceeded`, `Blocked` (a
person is needed). A step decides by what it sees, never by what it remembers: gates, fences, markers, status of tasks,
the pointer, the rules.
"""
