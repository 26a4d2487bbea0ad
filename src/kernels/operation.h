/* What the elementwise operations of plan/elementwise.h give, on vectors (or scalars) of f32. */
#ifndef NETC_KERNELS_OPERATION_H
#define NETC_KERNELS_OPERATION_H

#include "codegen/ir.h"
#include "plan/plan.h"

/* The result of a stage that is not MAP_AFFINE; y is its operand, NULL for OPERAND_NONE. */
IrValue operation_emit(Ir *ir, const MapStage *stage, IrValue x, IrValue y, int lanes);

#endif
