// What all commands against one registry share: a pause when it asks for less, and a budget of
// retries, so that a registry in trouble is not hammered by every target at once.
//
// The budget is a token bucket, as in the retry quota of the AWS SDKs
// (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/) and in gRPC's
// retry throttling (https://github.com/grpc/proposal/blob/master/A6-client-retries.md), with one
// difference: with an empty bucket, a command waits for the next token instead of giving up at
// once, for a publish job has minutes where a request has milliseconds. Waiting for what is not
// there yet is not a retry in this sense: it is one small read, at a pace of its own.
#pragma once

#include <retry_exec/quantity.hpp>

#include <algorithm>
#include <map>
#include <span>
#include <string>

namespace retry_exec::publish {

class Budget {
 public:
  static constexpr double capacity = 30;
  static constexpr double tokens_a_second = 2;

  // Takes a token; returns when it is there, now or later.
  TimePoint take(TimePoint now);
  // A success gives a token back: a registry that answers may be asked again.
  void refund(TimePoint now);

 private:
  void refill(TimePoint now);

  double tokens_ = capacity;  // below zero: tokens that are promised
  TimePoint filled_{};
};

struct RegistryState {
  Budget budget;
  TimePoint paused_until{};
};

class RegistryStates {
 public:
  RegistryState& of(const std::string& host) { return states_[host]; }
  TimePoint paused_until(std::span<const std::string> hosts);

 private:
  std::map<std::string, RegistryState> states_;
};

}  // namespace retry_exec::publish
