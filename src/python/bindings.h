#pragma once

#include <nanobind/nanobind.h>

#include "c_api/asap.h"

namespace asap::python {

/// The translation of the toolkit's errors: UsageError becomes ValueError, DataError and
/// NumericalError become the exceptions that the package sets, InternalError RuntimeError.
void bind_errors(nanobind::module_& module);
void bind_attention(nanobind::module_& module);
void bind_operator(nanobind::module_& module);
void bind_model(nanobind::module_& module);
void bind_region(nanobind::module_& module);

/// Throws the error that a function of asap.h reports.
void check(asap_status status, const asap_error& error);

}  // namespace asap::python
