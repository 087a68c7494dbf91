#pragma once

#include "evaluate/bench/scaling_curves.h"
#include "evaluate/compare/comparison.h"
#include "evaluate/compare/report_context.h"
#include "evaluate/study/head_study.h"
#include "evaluate/study/plan_gallery.h"
#include "evaluate/study/training_curves.h"

namespace asap::evaluate {

/// Everything that the report of a comparison shows. Empty parts are left out.
struct ReportData {
  Comparison comparison;
  ReportContext context;
  PlanGallery gallery = {};
  NetworkStudy study = {};
  TrainingCurves training = {};
  ScalingCurves scaling = {};
};

}  // namespace asap::evaluate
