"""What the service is measured against: servers with environments of their own, which import nothing of the service."""
