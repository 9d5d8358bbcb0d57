"""Settings for a Superset of one's own that shows the marts: SUPERSET_CONFIG_PATH names this file.

Belongs here: what keeps such a server to itself, and where its own records lie.
Does not: addresses of the marts (bi/load.py), users, rights, a site's own proxy.
"""

import os
from pathlib import Path

# Without a secret of its own Superset does not start; it signs sessions and seals the passwords of databases.
SECRET_KEY = os.environ.get("SUPERSET_SECRET_KEY", "")
HOME = Path(os.environ.get("SUPERSET_HOME") or "data/superset").resolve()
SQLALCHEMY_DATABASE_URI = (
    os.environ.get("SUPERSET_RECORDS_URL") or f"sqlite:///{HOME / 'superset.db'}?check_same_thread=false"
)
# Nothing is told to anybody. The pages of the wheel count their readers at another server whatever is set; this policy
# has the browser refuse that and everything else from elsewhere.
SCARF_ANALYTICS = False
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
# Maps would ask a server of tiles.
MAPBOX_API_KEY = ""
# Figures change with a release, which no cache knows of.
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
FILTER_STATE_CACHE_CONFIG = {"CACHE_TYPE": "SupersetMetastoreCache", "CACHE_DEFAULT_TIMEOUT": 86_400}
EXPLORE_FORM_DATA_CACHE_CONFIG = {"CACHE_TYPE": "SupersetMetastoreCache", "CACHE_DEFAULT_TIMEOUT": 86_400}
