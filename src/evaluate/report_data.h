#pragma once

#include "evaluate/comparison.h"
#include "evaluate/head_study.h"
#include "evaluate/plan_gallery.h"
#include "evaluate/report_context.h"
#include "evaluate/scaling_curves.h"
#include "evaluate/training_curves.h"

namespace asap {

/// All that the report of a comparison shows. Parts that are empty are left out of it.
struct ReportData {
  Comparison comparison;
  ReportContext context;
  PlanGallery gallery = {};
  NetworkStudy study = {};
  TrainingCurves training = {};
  ScalingCurves scaling = {};
};

}  // namespace asap
