#pragma once
#include "calibrate/csv_calls.h"  // where it lives: importing a table reads the same files
