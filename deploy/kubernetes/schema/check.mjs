// Validates Kubernetes objects against the published schemas: `node check.mjs FILE…`. Kinds, types, formats and required fields are
// checked; a field that a schema does not know is not found: `kubectl apply --dry-run=server` tells that.
import fs from 'node:fs';
import path from 'node:path';
import yaml from 'yaml';

const models = (apiVersion) => {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  if (group === 'monitoring.coreos.com') return import('@kubernetes-models/prometheus-operator/monitoring.coreos.com/' + version);
  return import('kubernetes-models/' + (group ? group + '/' : '') + version);
};

let checked = 0;
let faults = 0;
for (const file of process.argv.slice(2)) {
  for (const document of yaml.parseAllDocuments(fs.readFileSync(file, 'utf8'), { merge: true })) {
    const object = document.toJS();
    if (!object || object.kind === 'Kustomization') continue;
    const name = `${path.basename(file)}: ${object.kind} ${object.metadata?.name}`;
    try {
      const Model = (await models(object.apiVersion))[object.kind];
      if (!Model) throw new Error(`no schema of ${object.apiVersion} ${object.kind}`);
      new Model(object).validate();
      checked += 1;
    } catch (error) {
      console.error(`${name}: ${error.message}`);
      faults += 1;
    }
  }
}
if (faults === 0) console.log(`kubernetes: ${checked} objects fit their schemas`);
process.exit(faults === 0 ? 0 : 1);
