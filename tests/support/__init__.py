"""What tests share: toys, servers, samples, fixtures."""
