#pragma once

#include <initializer_list>
#include <string>

#include <doctest/doctest.h>

#include "base/error.h"

namespace asap::test {

/// Runs `body`, which must throw an E whose message is one line and whose message and hint together
/// hold every one of `parts`.
template <class E, class Body>
void expect_error(const Body& body, std::initializer_list<const char*> parts) {
  try {
    body();
  } catch (const E& error) {
    const std::string message = error.what();
    CHECK_MESSAGE(message.find('\n') == std::string::npos, "more than one line: ", message);
    const std::string all = message + " | " + error.hint();
    for (const char* part : parts)
      CHECK_MESSAGE(all.find(part) != std::string::npos, "'", std::string(part),
                    "' is missing in: ", all);
    return;
  } catch (const std::exception& error) {
    FAIL_CHECK("another exception: ", error.what());
    return;
  }
  FAIL_CHECK("no exception");
}

}  // namespace asap::test
