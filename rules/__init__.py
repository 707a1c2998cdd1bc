"""House rules: what the payment system must never do and no linter or rule pack sees, as cfn-lint rules.

Plain `cfn-lint` loads them through `rules/entry` (see .cfnlintrc). One rule is one class in one file; the folder says
what it is about, the first digits of its id too:

    910 names and tags        914 encryption at rest     918 the service on ECS
    911 identity and secrets  915 encryption in transit  919 load balancer
    912 keeping and versions  916 database               920 logs, alarms, embedded JSON
    913 exposure              917 migration by DMS

`rules/data` holds what AWS or the house says, apart from the code that applies it. A rule judges one template alone and
only what stands there literally: a value that a Ref, GetAtt, If or the like gives at deployment is never a finding.
Deliberate exceptions: `Stack.add(resource, excepted={"E91xx": "reason"})`. Versions are judged on the day of the lint,
or on that which the environment variable PAYMENTS_TODAY gives (YYYY-MM-DD).
"""
