#pragma once

#include <exception>
#include <new>
#include <string>

#include "c_api/asap.h"

#include "base/error.h"

namespace asap::c_api {

/// Fills in `error`, unless it is null, and returns the status. The message is cut between
/// characters.
asap_status report(asap_error* error, asap_status status, const std::string& message,
                   const std::string& hint = "");

/// UsageError "NAME: must not be NULL".
void require(const void* pointer, const char* name);

/// UsageError unless least <= value <= most.
void require_range(std::int64_t value, std::int64_t least, std::int64_t most, const char* name);

/// The frame of every function: runs `body` and turns an exception into a status.
template <class Body>
asap_status guarded(asap_error* error, const Body& body) noexcept {
  try {
    body();
    return ASAP_OK;
  } catch (const base::Error& failure) {
    return report(error, static_cast<asap_status>(failure.kind()), failure.what(), failure.hint());
  } catch (const std::bad_alloc&) {
    return report(error, ASAP_MEMORY, "out of memory");
  } catch (const std::exception& failure) {
    return report(error, ASAP_INTERNAL, failure.what());
  } catch (...) {
    return report(error, ASAP_INTERNAL, "an unknown exception");
  }
}

}  // namespace asap::c_api
