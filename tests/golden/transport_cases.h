#pragma once

namespace asap::test {

inline const char* const kCases[] = {"equal", "fewer_keys", "more_keys", "coprime"};

}  // namespace asap::test
