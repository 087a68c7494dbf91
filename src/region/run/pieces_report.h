#pragma once

#include <string>

#include "io/json.h"
#include "region/run/fit_run.h"

namespace asap::region {

/// What a fit of straight pieces adds to the report: the numbers of pieces that were tried, where
/// there are several, and the pieces with their standard errors, where they are few.
std::string trials_text(const FitRun& run);
std::string pieces_text(const FitRun& run);
std::string jumps_text(const FitRun& run);
std::string constraints_text(const KeptConstraints& kept, const PiecesConstraints& constraints);

/// The same in the summary, under "pieces", "straight_pieces" and "constraints".
void add_pieces_summary(const FitRun& run, io::Json& summary);

/// What the network keeps of the constraints of a fit, on the interval and at the forced points.
/// NumericalError when it breaks one.
KeptConstraints checked_constraints(const PiecesConstraints& constraints,
                                    const ReluNetwork& network, numerics::Interval interval);

}  // namespace asap::region
