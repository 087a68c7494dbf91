// relu-fit as the tests of it start it.
#pragma once

#include <doctest/doctest.h>

#include "cli/process.h"

namespace asap::test {

inline Outcome relu_fit(const Words& words) { return run("relu-fit", words); }

inline io::Json summary_of(const std::filesystem::path& folder) {
  return io::read_json(folder / "summary.json");
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The last line of standard error is the error, which says `part`.
inline void expect_refusal(const Words& words, int code, const std::string& part) {
  const Outcome outcome = relu_fit(words);
  CAPTURE(outcome.error);
  CHECK(outcome.code == code);
  CHECK(contains(outcome.error, part));
  CHECK(last_line(outcome.error).starts_with("relu-fit: error: "));
}

}  // namespace asap::test
