#pragma once

#include "evaluate/bench/scaling_curves.h"
#include "evaluate/compare/comparison.h"
#include "evaluate/compare/report_context.h"
#include "evaluate/study/head_study.h"
#include "evaluate/study/plan_gallery.h"
#include "evaluate/study/training_curves.h"

namespace asap::evaluate {

/// All that the report of a comparison shows. Parts that are empty are left out of it.
struct ReportData {
  Comparison comparison;
  ReportContext context;
  PlanGallery gallery = {};
  NetworkStudy study = {};
  TrainingCurves training = {};
  ScalingCurves scaling = {};
};

}  // namespace asap::evaluate
