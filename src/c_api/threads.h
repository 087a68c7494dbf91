#pragma once

namespace asap::c_api {

/// The number of threads that calls may use: the one state of the library.
int threads();

}  // namespace asap::c_api
