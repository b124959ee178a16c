"""Whether a word is built from names: the parts of handles. Loads the lists only."""

from __future__ import annotations

import re
from functools import lru_cache

from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates import fold
from anonymize.surrogates.identifiers import VOCABULARY

_RUN = re.compile(r"[^\W\d_]+")
_HUMP = re.compile(r"[A-Z\u00c0-\u00de]?[^\W\d_A-Z\u00c0-\u00de]+|[A-Z]+(?![a-z])")
_ENDS_IN_NUMBER = re.compile(r"\d{2,4}$")
#: Programs, services, teams and words of computing: accounts of nobody.
TECHNICAL = frozenset(
    """
    admin administrator adm agent airbyte airflow alertmanager alerts amqp analytics android angular
    anonymous ansible anthropic antivirus apache api apm apple apps archive argo argocd artifactory
    async audit auth authn authz autoscaler avahi aws azure babel backend backup backups bamboo
    bash bastion batch beta bigquery bin bind bitbucket bot bots broker build builder builds bzr
    cache calico canary cassandra cdn celery centos ceph certbot channel chrony ci circleci cisco
    classmethod click cli clickhouse client cloud cloudflare cluster codecov collector compute
    concourse config configmap confluence confluent consul consumer container containerd
    controller coredns cpp crawler cron crontab css csv curl customer cypress daemon dashboard
    dagster data databricks dataclass datadog dba dbt dbus dbuser debian debug default dependabot
    deploy
    deployer deployment dev developer devops dhcp discord django dnsmasq docker docs dovecot
    downloads dremio druid ec2 ecs elastic elasticsearch ember env envoy etcd etl everyone express
    exporter facebook falco fargate fastapi fastly feature fedora fixture flannel flask flink
    fluentd flux fluxcd ftp frontend fullstack functools gateway gcp gerrit git gitea github gitlab
    golang google
    grafana graphql groovy grpc guest hadoop handler haproxy harbor hashicorp helm heroku hive home
    host hotfix html http httpd https iam idp imap import infra ingest ingress init inotify input
    instana internal ios istio iteratee java javascript jaeger jboss jdbc jenkins jest jetty jira
    jmeter job jobs json jsonb junit jupyter jwt kafka karpenter keras kernel keycloak kibana kong
    kotlin kube kubectl kubeflow kubelet kubernetes lambda laravel ldap legacy lerna lib lint linter
    linkerd linux listener loadtest localhost log logger logging logs logstash loki looker machine
    macos mailer mailgun mailhog maintainer manager mariadb markup maven media memcached mesos
    message
    metabase metadata metrics microsoft middleware migrate migration minio mlflow mocha mod module
    mongo mongodb monit monitor monitoring mqtt msmtp mssql munin mutex mysql nagios nats neovim
    netdata netlify nextcloud nextjs nexus nginx node nobody nodejs nodemon noreply npm nslcd ntp
    numpy oauth oauth2 octopus okta olap oltp oncall onprem ops openai openshift openssl openstack
    opensearch operator oracle order orders otel override package packer pagerduty param params
    parser payment payments perl php ping pip pipeline pipelines platform playwright podman poetry
    poller portal postfix postgres postgresql postman powershell prefect prettier presto preview
    proc procmail prod production producer profile prometheus property proxy prisma public pubsub
    pulsar pulumi puppet push pypi pytest python pytorch qa query queue rabbit rabbitmq rails
    rclone react reader redhat redis redshift redux relay release renovate replica repo reporter
    reports repository research rest return returns rhel robot root router rpc rsync rsyslog ruby
    runner runtime rust sandbox
    sbin scala scheduler schema schemas scraper script scripts sdk search security selenium
    sendgrid sendmail sentry server serverless service services sftp shared shell shop sidecar
    sidekiq slack smtp snapshot snort snowflake snyk solr sonar sonarqube spark splunk spring sql
    sqlite squid sre ssh sshd ssl stage staging standby staticmethod statsd storage storybook
    stream stripe superset superuser support svc svelte svn swift symfony sync sysadmin syslog
    sysop system systemd sysctl tableau tailwind tasks team teamcity teams telegraf temp template
    tenant tensorflow terraform test tester testing tests thanos thrift timer tmp tomcat tools
    traefik trace tracing travis trino trivy twilio twine types typescript ubuntu unittest unix
    upload uploads uptime utils
    vagrant validator varnish vault vector vercel viewer virtualenv vitess vite vmware vnc voip vpn
    vscode vue wazuh web webapp webhook webhooks webmaster webpack website webserver widget
    wildfly windows wordpress worker workers workflow www xcode xml yaml yarn zabbix zapier zendesk
    zipkin zookeeper zsh kwargs args stdin stdout stderr
    author deprecated inheritdoc link see since throws keyframes apply autowired
    inject nullable test override suppresswarnings component injectable
    cc all here ring crew squad desk lead eng
    """.split()
)


def strict(part: str) -> bool:
    """Whether a folded part is a name and little else."""
    known = lexicon()
    return known.is_name(part) or part in known.firm


def listed(part: str) -> bool:
    """Whether a folded part is a name of some sort, and no everyday word."""
    known = lexicon()
    return (known.listed(part) or known.shaped(part)) and not known.is_common(part)


def given(part: str) -> bool:
    """Whether a folded part is a given name, and no everyday word."""
    known = lexicon()
    return (part in known.first or part in known.rare_first) and not known.is_common(part)


def built_from_names(word: str) -> bool:
    """Whether folded letters hold a name at either end: ``gunnarssonm``, ``parisateijuilo``."""
    known = lexicon()
    if len(word) < 4 or known.is_common(word):
        return False
    if listed(word):
        return True
    families = (known.last, known.rare_last)
    if len(word) > 4 and any(word[1:] in names or word[:-1] in names for names in families):
        return True
    for cut in range(3, len(word) - 2):
        head, tail = word[:cut], word[cut:]
        if (head in known.first or head in known.last) and known.listed(tail):
            return True
        if known.listed(head) and (tail in known.first or tail in known.last):
            return True
        if cut > 4 and (head in known.firm or (head in known.first and head not in known.words)):
            return True
        if len(tail) > 5 and tail in known.last and tail not in known.words:
            return True
    return False


def _part(part: str) -> bool:
    return not lexicon().is_common(part) or part in lexicon().firm


def glued(word: str, least: int = 3) -> bool:
    """Whether folded letters are a given and a family name, both of ``least`` letters or more."""
    known = lexicon()
    for cut in range(least, len(word) - least + 1):
        head, tail = word[:cut], word[cut:]
        for one, two in ((head, tail), (tail, head)):
            first = one in known.first or (len(one) > 4 and one in known.rare_first)
            if first and known.family(two) and _part(one) and _part(two):
                return True
    return False


def initialled(word: str, least: int = 3) -> bool:
    """Whether folded letters are an initial and a family name, in any order."""
    known = lexicon()
    return any(
        len(part) >= least
        and (part in known.last or (len(part) > 4 and known.family(part)))
        and _part(part)
        for part in (word[1:], word[:-1])
    )


@lru_cache(1 << 14)
def borne(value: str, *, unknown: bool) -> bool:
    """Whether a token that stands where a handle is due is a person's.

    With ``unknown`` a word that is in no list is taken for one as well, so the place must leave
    little doubt. Services (``build-agent``), teams and everyday words are nobody's handle.
    """
    runs = [run for run in _RUN.findall(value.replace("'", "").replace("’", "")) if run]
    if not runs or value.lower() in TECHNICAL:
        return False
    parts = [fold(hump) for run in runs for hump in (_HUMP.findall(run) or [run])]
    if len(parts) > 5 or sum(map(len, parts)) < 3:
        return False
    known = lexicon()
    long = [part for part in parts if len(part) > 2]
    tools = [p for p in long if (p in TECHNICAL or p in VOCABULARY) and not _namesake(p)]
    rest = [part for part in long if part not in tools]
    if tools:
        return any(strict(p) and p in known.first and p not in TECHNICAL for p in rest)
    number = _ENDS_IN_NUMBER.search(value) is not None
    names = [part for part in rest if strict(part) or (_part(part) and built_from_names(part))]
    plain = [part for part in rest if not _part(part)]
    if not rest:
        return False
    if names and (len(names) > len(plain) or len(parts) > len(rest) or number):
        return True
    if len(plain) == len(rest):
        return _words_of_names(rest, parts, number) and (unknown or number)
    if names and plain:
        likely = all(p in known.first or p in known.last for p in plain)  # denis-foster
        if (likely and any(map(strict, names))) or (unknown and all(map(known.listed, plain))):
            return True
    if len(rest) == 1 and any(len(part) == 1 for part in parts) and known.listed(rest[0]):
        return True
    if not unknown and not number:
        return False
    return not plain and any(len(part) > 3 and not _compound(part) for part in rest)


def _words_of_names(rest: list[str], parts: list[str], number: bool) -> bool:
    """``will_smith_1234``, ``grace.h``, ``rose82``: words all of them, and names as well."""
    known = lexicon()
    if not all(known.listed(part) for part in rest):
        return False
    given = rest[0] in known.first or rest[-1] in known.first
    initial = any(len(part) == 1 for part in parts)
    return given and (len(rest) > 1 or initial or number)


def _namesake(word: str) -> bool:
    """Whether a tool is called like a person: ``m.jenkins``."""
    known = lexicon()
    return word in known.firm or (word in TECHNICAL and (word in known.first or word in known.last))


def _compound(word: str) -> bool:
    """``datalake``, ``billingapi``: two everyday or technical words in one."""
    known = lexicon()
    return any(
        (head in known.words or head in TECHNICAL) and (tail in known.words or tail in TECHNICAL)
        for head, tail in ((word[:cut], word[cut:]) for cut in range(3, len(word) - 2))
    )


@lru_cache(1 << 14)
def halves(word: str) -> tuple[str, str] | None:
    """The two parts of folded letters that a given name, or its initial, and a family name are.

    The same for a word wherever it stands: ``mkovacs`` is ``m`` and ``kovacs``.
    """
    known = lexicon()
    if len(word) < 5 or not word.isascii() or known.is_common(word) or known.listed(word):
        return None
    for cut in range(len(word) - 3, 2, -1):  # the longer given name: joanna kovacs
        head, tail = word[:cut], word[cut:]
        for one, two in ((head, tail), (tail, head)):
            if known.is_first(one) and two in known.last and _open(one) and _open(two):
                return head, tail
    for at, part in ((1, word[1:]), (len(word) - 1, word[:-1])):
        if len(part) > 3 and known.is_name(part) and part in known.last and _open(part):
            return word[:at], word[at:]
    for cut in range(len(word) - 4, 3, -1):
        head, tail = word[:cut], word[cut:]
        if (known.is_first(head) and known.family(tail) and _open(tail)) or (
            known.is_first(tail) and known.family(head) and _open(head)
        ):
            return head, tail
    return None


def _open(part: str) -> bool:
    """Whether a form of ids would replace the part."""
    return part not in VOCABULARY and _part(part)
